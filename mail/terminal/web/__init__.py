"""The terminal's pages as HTML files that can be sent: self-contained, with boards as SVG."""
