module_version("ai-test/jax/0.7.2", "default", "0.7")
module_version("ai-test/jax/0.8.1", "0.8")
