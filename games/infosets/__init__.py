"""Games of hidden information by their information states: exact values, best responses, equilibria.

Method: the sequence form (von Stengel, "Efficient computation of behavior strategies", 1996). With perfect recall what
a seat has done on the way to an information state is one sequence of its own actions, so a policy is a vector of
sequence weights, the game's value is bilinear in both seats' vectors, and a best response is one product with the
payoffs and one sweep over the seat's own decisions.
"""
