module_version("hpai/vendor/24.05", "default", "24.5")
