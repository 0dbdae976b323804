# The image of web, worker and ticker, and (target "resolver") a validating DNS resolver.
FROM debian:13-slim AS resolver
RUN apt-get update \
    && apt-get install -y --no-install-recommends unbound dns-root-data dnsutils \
    && rm -rf /var/lib/apt/lists/*
COPY tools/unbound.conf /etc/unbound/fedisec.conf
USER unbound
EXPOSE 5353/udp 5353/tcp
CMD ["unbound", "-d", "-p", "-c", "/etc/unbound/fedisec.conf"]

FROM python:3.13-slim AS packages
COPY requirements.txt /tmp/
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes -r /tmp/requirements.txt

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 FEDISEC_DATA=/data FEDISEC_STATIC=/app/staticfiles
WORKDIR /app
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin fedisec \
    && install -d -o fedisec -g fedisec -m 700 /data
COPY --from=packages /venv /venv
COPY manage.py LICENSE ./
COPY checks checks
COPY fedisec fedisec
COPY templates templates
COPY static static
COPY locale locale
RUN FEDISEC_SECRET_KEY=$(python -c 'import secrets; print(secrets.token_urlsafe(60))') \
        python manage.py prepare --static-only \
    && python -m compileall -q checks fedisec \
    && chmod -R a+rX /app
USER fedisec
EXPOSE 8000
VOLUME /data
CMD ["python", "manage.py", "web", "--prepare", "--bind", "0.0.0.0:8000"]
