"""Programs that go along with an exported policy; each runs on its own, without any package of ours.

``agents.export.write`` copies them as they stand. They ask for observations and a legal mask and give probabilities.
"""
