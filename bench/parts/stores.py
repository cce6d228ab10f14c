def run(options, folder): return True
