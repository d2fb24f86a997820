// events: the data path of events, in a thread of its own: streams take events, filters choose, subscribers get them.
export { HttpSender } from "./delivery/send.ts";
