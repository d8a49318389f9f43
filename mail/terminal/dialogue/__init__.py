"""Games line by line, where there is no full screen: what to play, one game after the other, one's mistakes."""
