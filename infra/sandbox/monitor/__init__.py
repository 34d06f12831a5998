"""What a kernel opens and reads, as the machine sees it (fanotify): written down before the kernel gets a byte."""
