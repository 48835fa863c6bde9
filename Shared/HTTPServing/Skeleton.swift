enum HTTPServingSkeleton {}
