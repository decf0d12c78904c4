FROM python:3.11-slim AS build
WORKDIR /app
COPY requirements.lock .
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock

FROM python:3.11-slim
# Nobody in particular, with nothing of its own but /data: database, session file, lock.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin watch \
 && install -d -o watch -g watch -m 0700 /data
COPY --from=build /venv /venv
WORKDIR /app
COPY storage storage
COPY watchers watchers
COPY bot bot
USER watch
VOLUME /data
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MPLCONFIGDIR=/tmp/matplotlib \
    DATABASE=/data/watch.db \
    TELEGRAM_SESSION=/data/telegram.session
# The daemon touches its lock file every 10 s while its event loop turns.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["sh", "-c", "test -n \"$(find \"$DATABASE.lock\" -mmin -1)\""]
# Exec form: SIGTERM reaches the program, which finishes what is under way and ends within 5 s.
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]
