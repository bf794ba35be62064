module_version("ai-test/emcee/3.1.6", "default", "3.1")
