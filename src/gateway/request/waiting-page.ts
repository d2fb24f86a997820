// What a browser sees while a revision at zero starts, where the revision asks for it; clients of an API are held instead.
import { valuesOf } from "../http/head-scan.ts";
import type { OwnResponse } from "../http/own-response.ts";
import type { RequestHead } from "../http/request-head.ts";

/** Its script sends a request of the held kind and loads the page anew once that is answered, so that it need not ask again and again. */
const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Starting</title>
<noscript><meta http-equiv="refresh" content="2"></noscript>
<style>body{display:grid;place-items:center;min-height:90vh;font:1.2rem system-ui,sans-serif;color-scheme:light dark}</style>
<p role="status">Starting &hellip;</p>
<script>
const look = () => fetch(location.href, { method: "HEAD", headers: { Accept: "*/*" }, cache: "no-store" }).then(
  ({ status }) => (status === 503 || status === 504 ? later() : location.reload()),
  () => later(),
);
const later = () => setTimeout(look, 1000);
look();
</script>
`;

/** 503, so that no crawler takes it for the page, and nobody keeps it. */
export const WAITING_PAGE: OwnResponse = {
  status: 503,
  headers: "Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\nRetry-After: 2\r\n",
  body: PAGE,
};

/** Whether a person looks at what comes back: a GET for HTML that a browser navigates by. Browsers tell of their other requests. */
export function wantsPage({ method, upgrade, text, fields }: RequestHead): boolean {
  if (method !== "GET" || upgrade !== "") return false;
  const mode = valuesOf(text, fields, "sec-fetch-mode")[0];
  return (mode === undefined || mode === "navigate") && valuesOf(text, fields, "accept").some((accept) => accept.toLowerCase().includes("text/html"));
}
