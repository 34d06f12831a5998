"""The sandbox (沙箱): namespaces, a uid of its own, no network, few system calls, limits. It fails closed."""
