/** The body of a request for the series of a job (web R6). Pure. */

/** Points of one array. */
export const POINTS_MAX = 2000;
export const POINTS_MIN = 100;
