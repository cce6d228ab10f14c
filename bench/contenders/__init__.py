"""Every module here is one contender or a family of them; CONTENDERS are all of them in the order of the table."""

from . import nginx_proxy_pass, nginx_return, onceward_first_execution, onceward_replay, onceward_unguarded

CONTENDERS = [
    onceward_unguarded.OncewardUnguarded,
    nginx_proxy_pass.NginxProxyPass,
    onceward_replay.OncewardReplay,
    nginx_return.NginxReturn,
    onceward_first_execution.OncewardFirstExecution,
]
