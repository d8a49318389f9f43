"""The parts of Ray that a run cannot do without, and the exit statuses that tell of their death; loads nothing."""

DASHBOARD_AGENT, ENVIRONMENT_AGENT, GCS_SERVER, RAYLET = 41, 42, 43, 44

PARTS = {
    DASHBOARD_AGENT: "agent",  # each takes the other along, at once
    ENVIRONMENT_AGENT: "agent",
    GCS_SERVER: "GCS server",
    RAYLET: "raylet",
}
"""Exit statuses of ``mail.parallel.ray_host``: which part of Ray died. In this order: an agent takes its raylet
along.
"""
