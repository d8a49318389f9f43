"""Loaders that accompany an exported policy. Each runs on its own, without any package of this project.

``agents.export.write`` copies them. They map observations and a legal mask to probabilities.
"""
