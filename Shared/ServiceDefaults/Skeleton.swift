enum ServiceDefaultsSkeleton {}
