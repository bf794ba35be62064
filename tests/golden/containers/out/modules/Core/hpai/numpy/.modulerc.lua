module_version("hpai/numpy/2.3.4", "default", "2.3")
