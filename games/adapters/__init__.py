"""Adapters between our games and those of OpenSpiel and PettingZoo, in both directions."""
