// The contract of the clients' transports against our own API server: in its process, and over HTTPS.
import { APPLY, clientContract } from "../../src/client/contract.test-suite.ts";
import { inProcess, overHttps } from "./server.ts";

const lacks = { [APPLY]: "server-side apply is not served yet" };
clientContract("our API server in this process", inProcess, lacks);
clientContract("our API server over HTTPS", overHttps, lacks);
