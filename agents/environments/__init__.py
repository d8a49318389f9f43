"""Games as environments of other libraries, where a policy is part of the environment."""
