"""Parameters of database URLs that belong to other clients: services and frameworks show them in the URLs they give."""

from __future__ import annotations

_NAMES = """
# Prisma, Supabase, Vercel
pgbouncer connection_limit pool_timeout socket_timeout sslaccept sslidentity single_use_connections supa workaround
pool_mode
# node-postgres, postgres.js, Drizzle, Sequelize, TypeORM
uselibpqcompat encoding max max_lifetime idle_timeout query_timeout statement_timeout lock_timeout keepalive
idle_in_transaction_session_timeout connection_timeout_millis idle_timeout_millis fetch_types prepare binary native
logging synchronize
# asyncpg, SQLAlchemy, psycopg, Django
statement_cache_size prepared_statement_cache_size prepared_statement_name_func max_cached_statement_lifetime
max_cacheable_statement_size command_timeout direct_tls server_settings async_fallback prepare_threshold charset
pool_size max_overflow pool_recycle pool_pre_ping echo conn_max_age conn_health_checks ssl_require timeout
autocommit min_size max_size
# JDBC
currentSchema prepareThreshold preparedStatementCacheQueries preparedStatementCacheSizeMiB loginTimeout socketTimeout
connectTimeout tcpKeepAlive tcpNoDelay reWriteBatchedInserts binaryTransfer binaryTransferEnable binaryTransferDisable
stringtype defaultRowFetchSize targetServerType loadBalanceHosts readOnly readOnlyMode autosave preferQueryMode
cancelSignalTimeout logUnclosedConnections loggerLevel loggerFile hostRecheckSeconds useSSL useUnicode
characterEncoding serverTimezone allowEncodingChanges databaseMetadataCacheFields databaseMetadataCacheFieldsMiB
unknownLength assumeMinServerVersion quoteReturningIdentifiers sendBufferSize receiveBufferSize maxResultBuffer
hideUnprivilegedObjects adaptiveFetch adaptiveFetchMinimum adaptiveFetchMaximum escapeSyntaxCallMode
disableColumnSanitiser
sslfactory sslfactoryarg sslhostnameverifier sslpasswordcallback sslResponseTimeout socketFactory socketFactoryArg
protocolVersion xmlFactoryFactory maxSendBufferSize groupStartupParameters cleanupSavepoints localSocketAddress
ApplicationName gssLib jaasLogin jaasApplicationName kerberosServerName useSpnego sspiServiceClass logServerErrorDetail
allowPublicKeyRetrieval autoReconnect queryTimeout
# pgx, lib/pq, sqlx
pool_max_conns pool_min_conns pool_max_conn_lifetime pool_max_conn_lifetime_jitter pool_max_conn_idle_time
pool_health_check_period default_query_exec_mode statement_cache_capacity description_cache_capacity
statement_cache_mode binary_parameters search_path timezone disable_prepared_binary_result
# Rails, Ecto, Doctrine, Npgsql, Hasura
adapter pool checkout_timeout reaping_frequency prepared_statements advisory_locks min_messages schema_search_path
reconnect variables serverVersion server_version minimum_pool_size maximum_pool_size pooling multiplexing
no_reset_on_close include_error_detail trust_server_certificate max_connections
"""


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


_KNOWN = frozenset(_plain(name) for line in _NAMES.splitlines() if not line.startswith("#") for name in line.split())
_PATHS = frozenset({"currentschema", "searchpath", "schemasearchpath"})


def is_other_clients(name: str) -> bool:
    """Tell whether a URL's parameter is another client's own, in any of the spellings that these use."""
    return _plain(name) in _KNOWN


def note_on(names: tuple[str, ...]) -> str:
    """A sentence on the parameters that were ignored; empty where none was."""
    if not names:
        return ""
    named = ", ".join(dict.fromkeys(names))
    one = len(set(names)) == 1
    hint = "" if _PATHS.isdisjoint(map(_plain, names)) else " For a schema, add ?schema=NAME."
    return f"{named} in the URL {'is' if one else 'are'} another client's and ignored here.{hint}"
