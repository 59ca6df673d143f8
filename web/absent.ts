/** What stands in the bundle for parts of Node that a library names and never uses there. */
export {};
