enum HTTPCallingSkeleton {}
