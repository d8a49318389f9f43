"""What is learned from: decisions, how they are collected by play, and saved games."""
