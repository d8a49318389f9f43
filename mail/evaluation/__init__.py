"""How good a policy is: exactly where the game can be enumerated, by bounds and matches otherwise."""
