"""Small poker games: hidden cards, chance, and bets that both seats see."""
