# The image of bootstrap-controller. It works with a read-only root file system, without any
# capability and as any user id; the user it names is numeric, so that the kubelet can see that
# runAsNonRoot holds without looking into the image.

FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY controller controller
COPY store store
# The environment has no pip: it is copied into the last stage whole. Bytecode is made here, since
# nothing can be written later, and is not checked against the sources, whose times copying may change.
RUN python -m venv --without-pip /opt/bootstrap \
 && pip --python /opt/bootstrap/bin/python install --no-cache-dir --no-compile . \
 && /opt/bootstrap/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
      /opt/bootstrap/lib

FROM python:3.13-slim
LABEL org.opencontainers.image.title="bootstrap-controller" \
      org.opencontainers.image.description="Continuous bootstrap testing of avalanchego nodes on Kubernetes" \
      org.opencontainers.image.licenses="Apache-2.0"
# Whoever gets in finds nothing to install with. The image's own library comes without bytecode:
# compiling it at each start would take as long as all else of the start.
RUN python -m pip uninstall --yes --quiet --root-user-action=ignore pip \
 && rm -rf /usr/local/lib/python3.13/ensurepip \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /usr/local/lib/python3.13
COPY --from=build /opt/bootstrap /opt/bootstrap
# A fixed threshold of malloc: what a long log took is given back when it is free, 5 MB of 64 that
# are measured after a failed run. One that malloc chooses itself grows with the largest log.
ENV PATH=/opt/bootstrap/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MALLOC_TRIM_THRESHOLD_=131072
# 65532 is what images without a shell call nonroot; it owns no file here.
USER 65532:65532
EXPOSE 8080
# No HEALTHCHECK: Kubernetes ignores it and asks /healthz and /readyz itself, as the manifests say.
# No secrets either: they come as mounted files (docs/configuration.md).
ENTRYPOINT ["bootstrap-controller"]
CMD ["run"]
