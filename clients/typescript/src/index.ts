/** Ask a person before an AI agent does something that matters. See README.md. */
export { Batch, type BatchWait, type Item, type Together } from "./batches.js";
export { canonical, digest, parse, type Json, type JsonObject } from "./canonical.js";
export { Signoff, type Delivery } from "./client.js";
export * from "./errors.js";
export { explain } from "./explanation.js";
export { withApproval, type Options } from "./gate.js";
export { Guard, gatewayStore, type Spent, type Store } from "./guard.js";
export { requestId } from "./identity.js";
export { Lessons, type Lesson } from "./lessons.js";
export { pinned, published, type Keys } from "./keys.js";
export { QuestionTicket, type Answer, type AskPerson, type Option, type Question, type Why } from "./questions.js";
export { accept, ApprovedReceipt, bind, Receipt, verify, type Decider, type Note, type Status, type Voter } from "./receipts.js";
export type { Ask, Claims, Reversibility, Runs, Wait } from "./request.js";
export type { Settings } from "./settings.js";
export type { Handler, Inquiry } from "./talks.js";
export { gatewayStops, verifyStops, type Statement, type Stopping, type StopSource } from "./stops.js";
export { Ticket, type Pending } from "./ticket.js";
export { DEPLOYMENT, type Taken } from "./tokens.js";
