export interface ChainStore {}
