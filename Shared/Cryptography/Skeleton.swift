enum CryptographySkeleton {}
