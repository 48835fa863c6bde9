enum JobsSkeleton {}
