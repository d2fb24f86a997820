// Which paths count their turns together over all threads: those with more than one share.
import type { RouteHost, RoutePath } from "#protocol";
import type { SharedRows } from "./shared-rows.ts";

/** Owners of rows for the host's paths; a path keeps its turn when only shares change. */
export function splitOwners(route: RouteHost | undefined): string[] {
  return (route?.paths ?? []).filter(isSplit).map((path) => ownerOf(route as RouteHost, path));
}

/** The route with a row for each split, as far as there are rows: without, each thread splits for itself. */
export function withTurns(route: RouteHost, rows: SharedRows): RouteHost {
  if (!route.paths.some(isSplit)) return route;
  const paths = route.paths.map((path) => {
    const { turns: _former, ...bare } = path;
    const turns = isSplit(path) ? rows.of(ownerOf(route, path)) : undefined;
    return turns === undefined ? bare : { ...bare, turns };
  });
  return { ...route, paths };
}

function isSplit(path: RoutePath): boolean {
  return path.splits.length > 1;
}

function ownerOf(route: RouteHost, path: RoutePath): string {
  return `${route.host} ${path.prefix} ${JSON.stringify(path.headers)}`;
}
