/** Path of the unix socket that `docker` is told of by DOCKER_HOST; undefined where it says nothing, or names no socket. */
export const dockerHostSocket = ({
  DOCKER_HOST,
}: Readonly<Record<string, string | undefined>>): string | undefined =>
  /^unix:\/\/(\/.+)$/.exec(DOCKER_HOST ?? "")?.[1];
