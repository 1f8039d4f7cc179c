/** All routes of the web interface: pages, their files, and what pages ask for (web 4). */
import type { Route } from "../../http/route.ts";
import type { ApiRoute } from "../../http/api_route.ts";
import { jobListRoutes } from "./job_list_routes.ts";
import { webPageRoutes } from "./page_routes.ts";
import type { PageServices } from "./services.ts";
import { jobEditRoutes } from "./job_edit_routes.ts";
import { jobPageRoutes } from "./job_page_routes.ts";
import { downloadRoutes } from "./download_route.ts";
import { seriesRoutes } from "./series_routes.ts";
import { sessionRoutes } from "./session_routes.ts";

/** There only where there are pages. */
function withPages(
  { web }: PageServices,
  routes: readonly ApiRoute[],
): ApiRoute[] {
  return routes.map((route) => ({
    ...route,
    when: () => web !== undefined,
  }));
}

export function webRoutes(services: PageServices): readonly Route[] {
  return [
    ...webPageRoutes(services),
    ...withPages(services, [
      ...sessionRoutes(services),
      ...jobListRoutes(services),
      ...jobPageRoutes(services),
      ...jobEditRoutes(services),
      ...seriesRoutes(services),
      ...downloadRoutes(services),
    ]),
  ];
}
