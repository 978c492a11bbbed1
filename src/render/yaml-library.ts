/** The npm package behind `render metallb`. The build embeds it apart, so that it costs nothing until it is imported. */
export { dump } from "js-yaml";
