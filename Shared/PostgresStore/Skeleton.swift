enum PostgresStoreSkeleton {}
