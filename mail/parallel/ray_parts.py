"""The parts of Ray that a run needs, and the exit statuses that report their death. Imports nothing."""

DASHBOARD_AGENT, ENVIRONMENT_AGENT, GCS_SERVER, RAYLET = 41, 42, 43, 44

PARTS = {
    DASHBOARD_AGENT: "agent",  # when one agent dies, the other one dies, too
    ENVIRONMENT_AGENT: "agent",
    GCS_SERVER: "GCS server",
    RAYLET: "raylet",
}
"""Exit statuses of ``mail.parallel.ray_host``: the part of Ray that died. The order matters: an agent's death ends its
raylet.
"""
