"""Files of policies, tables and labels: written atomically, read with suspicion."""
