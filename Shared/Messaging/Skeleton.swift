enum MessagingSkeleton {}
