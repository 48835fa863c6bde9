enum ConfigReadingSkeleton {}
