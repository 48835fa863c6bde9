enum DTOSkeleton {}
