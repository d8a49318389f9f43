"""Games of OpenSpiel and PettingZoo as games of ours, and the other way round."""
