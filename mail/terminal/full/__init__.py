"""Games on the full screen of a terminal. Imported only where one is asked for and there."""
