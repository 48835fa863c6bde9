/// The five services as values, for tests that look at all of them.
enum Applications {}
