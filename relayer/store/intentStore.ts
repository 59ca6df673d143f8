export interface IntentStore {}
