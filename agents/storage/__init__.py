"""Files of policies, tables and labels: written atomically, checked when read."""
