# One image, every role: the command says which, as in `docker run … signoff bot`. docs/deploying.md has the whole of it.
# No `syntax` line: nothing is fetched to read this file.
ARG PYTHON=python:3.13-slim

FROM ${PYTHON} AS build
# A time for all files, so that the same source gives the same wheel.
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 SOURCE_DATE_EPOCH=1577836800
WORKDIR /src
COPY deploy/image/ deploy/image/
# The tools that build stay in this stage; what runs has neither them nor pip.
RUN python -m venv /opt/build && /opt/build/bin/pip install --require-hashes -r deploy/image/build.txt
RUN python -m venv --without-pip /opt/signoff \
 && /opt/build/bin/pip --python /opt/signoff/bin/python install --no-compile --require-hashes -r deploy/image/run.txt
COPY pyproject.toml hatch_build.py README.md CHANGELOG.md LICENSE ./
COPY signoff/ signoff/
# Compiled here, because nothing can be written where it runs; without times, so that the files are the same ones.
RUN /opt/build/bin/hatchling build -t wheel -d /opt/dist \
 && /opt/build/bin/pip --python /opt/signoff/bin/python install --no-compile --no-deps --no-index /opt/dist/*.whl \
 && /opt/build/bin/pip --python /opt/signoff/bin/python check \
 && /opt/signoff/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/signoff/lib

FROM ${PYTHON}
LABEL org.opencontainers.image.title="Signoff" \
      org.opencontainers.image.description="Slack-first approvals for AI agents" \
      org.opencontainers.image.licenses="Apache-2.0"
# Nothing is installed into it later on. compose.yaml hangs its volumes where these folders are, and they get the owner.
RUN python -m pip uninstall --yes --root-user-action=ignore pip \
 && rm -rf /usr/local/lib/python3*/ensurepip \
 && groupadd --gid 10001 signoff \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/signoff --shell /usr/sbin/nologin signoff \
 && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
 && install -d -m 0700 -o signoff -g signoff /var/lib/signoff /srv/admin /srv/owner /srv/redis \
 && install -d -m 0755 -o signoff -g signoff /srv/initdb
COPY --from=build /opt/signoff /opt/signoff
ENV PATH=/opt/signoff/bin:/usr/local/bin:/usr/bin:/bin \
    SIGNOFF_DATA=/var/lib/signoff \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
EXPOSE 8480 8481
# Do the roles that run in this container live? It does not ask Slack.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["signoff", "health"]
ENTRYPOINT ["signoff"]
CMD ["serve"]
