BEGIN TRANSACTION;
CREATE TABLE agor_tui_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT agor_tui_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "agor_tui_version" VALUES('0001');
CREATE TABLE board_comments (
	comment_id TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	updated_at INTEGER, 
	board_id TEXT NOT NULL, 
	created_by TEXT DEFAULT 'anonymous' NOT NULL, 
	session_id TEXT, 
	task_id TEXT, 
	message_id TEXT, 
	worktree_id TEXT, 
	content TEXT NOT NULL, 
	content_preview TEXT NOT NULL, 
	parent_comment_id TEXT, 
	resolved INTEGER DEFAULT 0 NOT NULL, 
	edited INTEGER DEFAULT 0 NOT NULL, 
	reactions TEXT DEFAULT '[]' NOT NULL, 
	data TEXT NOT NULL, 
	CONSTRAINT pk_board_comments PRIMARY KEY (comment_id), 
	CONSTRAINT fk_board_comments_board_id FOREIGN KEY(board_id) REFERENCES boards (board_id) ON DELETE CASCADE, 
	CONSTRAINT fk_board_comments_message_id FOREIGN KEY(message_id) REFERENCES messages (message_id) ON DELETE SET NULL, 
	CONSTRAINT fk_board_comments_session_id FOREIGN KEY(session_id) REFERENCES sessions (session_id) ON DELETE SET NULL, 
	CONSTRAINT fk_board_comments_task_id FOREIGN KEY(task_id) REFERENCES tasks (task_id) ON DELETE SET NULL, 
	CONSTRAINT fk_board_comments_worktree_id FOREIGN KEY(worktree_id) REFERENCES worktrees (worktree_id) ON DELETE CASCADE
);
CREATE TABLE board_objects (
	object_id TEXT NOT NULL, 
	board_id TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	worktree_id TEXT NOT NULL, 
	data TEXT NOT NULL, 
	CONSTRAINT pk_board_objects PRIMARY KEY (object_id), 
	CONSTRAINT fk_board_objects_board_id FOREIGN KEY(board_id) REFERENCES boards (board_id) ON DELETE CASCADE, 
	CONSTRAINT fk_board_objects_worktree_id FOREIGN KEY(worktree_id) REFERENCES worktrees (worktree_id) ON DELETE CASCADE
);
CREATE TABLE boards (
	board_id TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	updated_at INTEGER, 
	created_by TEXT DEFAULT 'anonymous' NOT NULL, 
	name TEXT NOT NULL, 
	slug TEXT, 
	data TEXT NOT NULL, 
	CONSTRAINT pk_boards PRIMARY KEY (board_id), 
	CONSTRAINT uq_boards_slug UNIQUE (slug)
);
INSERT INTO "boards" VALUES('b1',1774749599987,NULL,'anonymous','Main','main','{}');
CREATE TABLE mcp_servers (
	mcp_server_id TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	updated_at INTEGER, 
	name TEXT NOT NULL, 
	transport TEXT NOT NULL, 
	scope TEXT NOT NULL, 
	enabled INTEGER DEFAULT 1 NOT NULL, 
	owner_user_id TEXT, 
	team_id TEXT, 
	repo_id TEXT, 
	session_id TEXT, 
	source TEXT NOT NULL, 
	data TEXT NOT NULL, 
	CONSTRAINT pk_mcp_servers PRIMARY KEY (mcp_server_id), 
	CONSTRAINT fk_mcp_servers_repo_id FOREIGN KEY(repo_id) REFERENCES repos (repo_id) ON DELETE CASCADE, 
	CONSTRAINT fk_mcp_servers_session_id FOREIGN KEY(session_id) REFERENCES sessions (session_id) ON DELETE CASCADE
);
INSERT INTO "mcp_servers" VALUES('x1',1774749599987,NULL,'files','stdio','global',1,NULL,NULL,NULL,NULL,'user','{}');
CREATE TABLE messages (
	message_id TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	session_id TEXT NOT NULL, 
	task_id TEXT, 
	type TEXT NOT NULL, 
	role TEXT NOT NULL, 
	"index" INTEGER NOT NULL, 
	timestamp INTEGER NOT NULL, 
	content_preview TEXT, 
	data TEXT NOT NULL, 
	parent_tool_use_id TEXT, 
	status TEXT, 
	queue_position INTEGER, 
	CONSTRAINT pk_messages PRIMARY KEY (message_id), 
	CONSTRAINT ck_messages_role CHECK (role IN ('user', 'assistant', 'system', 'file-history-snapshot')), 
	CONSTRAINT ck_messages_status CHECK (status IN ('queued')), 
	CONSTRAINT ck_messages_type CHECK (type IN ('user', 'assistant', 'system', 'file-history-snapshot', 'permission_request', 'input_request', 'daemon_restart', 'daemon_crash', 'widget_request')), 
	CONSTRAINT fk_messages_session_id FOREIGN KEY(session_id) REFERENCES sessions (session_id) ON DELETE CASCADE, 
	CONSTRAINT fk_messages_task_id FOREIGN KEY(task_id) REFERENCES tasks (task_id) ON DELETE SET NULL
);
INSERT INTO "messages" VALUES('m1',1774749599987,'s1','t1','user','user',0,1774749599987,NULL,'{}',NULL,NULL,NULL);
CREATE TABLE repos (
	repo_id TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	updated_at INTEGER, 
	slug TEXT NOT NULL, 
	data TEXT NOT NULL, 
	CONSTRAINT pk_repos PRIMARY KEY (repo_id), 
	CONSTRAINT uq_repos_slug UNIQUE (slug)
);
INSERT INTO "repos" VALUES('r1',1774749599987,NULL,'tidepool','{}');
CREATE TABLE schema_migrations (
	revision TEXT NOT NULL, 
	name TEXT NOT NULL, 
	checksum TEXT NOT NULL, 
	applied_at INTEGER NOT NULL, 
	duration_ms INTEGER NOT NULL, 
	applied_by TEXT NOT NULL, 
	tool_version TEXT NOT NULL, 
	CONSTRAINT pk_schema_migrations PRIMARY KEY (revision)
);
INSERT INTO "schema_migrations" VALUES('0001','initial schema','80ceb6b5ece082efce0b84bf5a605d7a4796c34c64019698b5e81438fae9eb93',1767225600000,12,'mira@laptop','0.1.0');
CREATE TABLE session_mcp_servers (
	session_id TEXT NOT NULL, 
	mcp_server_id TEXT NOT NULL, 
	enabled INTEGER DEFAULT 1 NOT NULL, 
	added_at INTEGER NOT NULL, 
	CONSTRAINT fk_session_mcp_servers_mcp_server_id FOREIGN KEY(mcp_server_id) REFERENCES mcp_servers (mcp_server_id) ON DELETE CASCADE, 
	CONSTRAINT fk_session_mcp_servers_session_id FOREIGN KEY(session_id) REFERENCES sessions (session_id) ON DELETE CASCADE
);
INSERT INTO "session_mcp_servers" VALUES('s1','x1',1,1774749599987);
CREATE TABLE sessions (
	session_id TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	updated_at INTEGER NOT NULL, 
	created_by TEXT DEFAULT 'anonymous' NOT NULL, 
	status TEXT NOT NULL, 
	agentic_tool TEXT NOT NULL, 
	board_id TEXT, 
	parent_session_id TEXT, 
	forked_from_session_id TEXT, 
	worktree_id TEXT NOT NULL, 
	scheduled_run_at INTEGER, 
	scheduled_from_worktree INTEGER DEFAULT 0 NOT NULL, 
	ready_for_prompt INTEGER DEFAULT 0 NOT NULL, 
	data TEXT NOT NULL, 
	archived INTEGER DEFAULT 0 NOT NULL, 
	archived_reason TEXT, 
	CONSTRAINT pk_sessions PRIMARY KEY (session_id), 
	CONSTRAINT ck_sessions_agentic_tool CHECK (agentic_tool <> ''), 
	CONSTRAINT ck_sessions_status CHECK (status IN ('idle', 'running', 'stopping', 'awaiting_permission', 'awaiting_input', 'completed', 'failed', 'timed_out', 'stopped')), 
	CONSTRAINT fk_sessions_board_id FOREIGN KEY(board_id) REFERENCES boards (board_id) ON DELETE SET NULL, 
	CONSTRAINT fk_sessions_forked_from_session_id FOREIGN KEY(forked_from_session_id) REFERENCES sessions (session_id) ON DELETE SET NULL, 
	CONSTRAINT fk_sessions_parent_session_id FOREIGN KEY(parent_session_id) REFERENCES sessions (session_id) ON DELETE SET NULL, 
	CONSTRAINT fk_sessions_worktree_id FOREIGN KEY(worktree_id) REFERENCES worktrees (worktree_id) ON DELETE CASCADE
);
INSERT INTO "sessions" VALUES('s1',1774749599987,1774749599987,'anonymous','idle','codex',NULL,NULL,NULL,'w1',NULL,0,0,'{"title": "One"}',0,NULL);
CREATE TABLE tasks (
	task_id TEXT NOT NULL, 
	session_id TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	completed_at INTEGER, 
	status TEXT NOT NULL, 
	created_by TEXT DEFAULT 'anonymous' NOT NULL, 
	data TEXT NOT NULL, 
	started_at INTEGER, 
	CONSTRAINT pk_tasks PRIMARY KEY (task_id), 
	CONSTRAINT ck_tasks_status CHECK (status IN ('created', 'queued', 'pending', 'running', 'dispatching', 'stopping', 'awaiting_permission', 'awaiting_input', 'completed', 'failed', 'timed_out', 'stopped')), 
	CONSTRAINT fk_tasks_session_id FOREIGN KEY(session_id) REFERENCES sessions (session_id) ON DELETE CASCADE
);
INSERT INTO "tasks" VALUES('t1','s1',1774749599987,NULL,'created','anonymous','{}',NULL);
CREATE TABLE users (
	user_id TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	updated_at INTEGER, 
	email TEXT NOT NULL, 
	password TEXT NOT NULL, 
	name TEXT, 
	emoji TEXT, 
	role TEXT DEFAULT 'member' NOT NULL, 
	onboarding_completed INTEGER DEFAULT 0 NOT NULL, 
	data TEXT NOT NULL, 
	CONSTRAINT pk_users PRIMARY KEY (user_id), 
	CONSTRAINT ck_users_role CHECK (role IN ('owner', 'superadmin', 'admin', 'member', 'viewer')), 
	CONSTRAINT uq_users_email UNIQUE (email)
);
INSERT INTO "users" VALUES('u1',1774749599987,NULL,'a@b.c','x',NULL,NULL,'member',0,'{}');
CREATE TABLE worktrees (
	worktree_id TEXT NOT NULL, 
	repo_id TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	updated_at INTEGER, 
	created_by TEXT DEFAULT 'anonymous' NOT NULL, 
	name TEXT NOT NULL, 
	ref TEXT NOT NULL, 
	worktree_unique_id INTEGER NOT NULL, 
	board_id TEXT, 
	data TEXT NOT NULL, 
	schedule_enabled INTEGER DEFAULT 0 NOT NULL, 
	schedule_cron TEXT, 
	schedule_last_triggered_at INTEGER, 
	schedule_next_run_at INTEGER, 
	start_command TEXT, 
	stop_command TEXT, 
	health_check_url TEXT, 
	app_url TEXT, 
	logs_command TEXT, 
	needs_attention INTEGER DEFAULT 0 NOT NULL, 
	archived INTEGER DEFAULT 0 NOT NULL, 
	archived_at INTEGER, 
	archived_by TEXT, 
	filesystem_status TEXT, 
	CONSTRAINT pk_worktrees PRIMARY KEY (worktree_id), 
	CONSTRAINT fk_worktrees_board_id FOREIGN KEY(board_id) REFERENCES boards (board_id) ON DELETE SET NULL, 
	CONSTRAINT fk_worktrees_repo_id FOREIGN KEY(repo_id) REFERENCES repos (repo_id) ON DELETE CASCADE
);
INSERT INTO "worktrees" VALUES('w1','r1',1774749599987,NULL,'anonymous','main','main',1,'b1','{}',0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL);
CREATE INDEX ix_worktrees_board ON worktrees (board_id);
CREATE INDEX ix_worktrees_repo_name ON worktrees (repo_id, name);
CREATE INDEX ix_board_objects_board ON board_objects (board_id);
CREATE INDEX ix_board_objects_worktree ON board_objects (worktree_id);
CREATE INDEX ix_sessions_archived_status_updated ON sessions (archived, status, updated_at, session_id);
CREATE INDEX ix_sessions_archived_updated ON sessions (archived, updated_at, session_id);
CREATE INDEX ix_sessions_board ON sessions (board_id);
CREATE INDEX ix_sessions_created ON sessions (created_at, session_id);
CREATE INDEX ix_sessions_created_by_updated ON sessions (created_by, updated_at, session_id);
CREATE INDEX ix_sessions_forked_from ON sessions (forked_from_session_id) WHERE forked_from_session_id IS NOT NULL;
CREATE INDEX ix_sessions_parent ON sessions (parent_session_id) WHERE parent_session_id IS NOT NULL;
CREATE INDEX ix_sessions_tool_updated ON sessions (agentic_tool, updated_at, session_id);
CREATE INDEX ix_sessions_updated ON sessions (updated_at, session_id);
CREATE INDEX ix_sessions_worktree_updated ON sessions (worktree_id, updated_at, session_id);
CREATE INDEX ix_mcp_servers_repo ON mcp_servers (repo_id);
CREATE INDEX ix_mcp_servers_session ON mcp_servers (session_id);
CREATE INDEX ix_tasks_created ON tasks (created_at, task_id);
CREATE INDEX ix_tasks_session_created ON tasks (session_id, created_at, task_id);
CREATE INDEX ix_tasks_status_created ON tasks (status, created_at, task_id);
CREATE INDEX ix_messages_session_order ON messages (session_id, "index", timestamp, created_at, message_id);
CREATE INDEX ix_messages_task_order ON messages (task_id, "index");
CREATE INDEX ix_session_mcp_servers_server ON session_mcp_servers (mcp_server_id);
CREATE INDEX ix_session_mcp_servers_session ON session_mcp_servers (session_id, mcp_server_id);
CREATE INDEX ix_board_comments_board_created ON board_comments (board_id, created_at);
CREATE INDEX ix_board_comments_message ON board_comments (message_id);
CREATE INDEX ix_board_comments_parent ON board_comments (parent_comment_id);
CREATE INDEX ix_board_comments_session ON board_comments (session_id);
CREATE INDEX ix_board_comments_task ON board_comments (task_id);
CREATE INDEX ix_board_comments_worktree ON board_comments (worktree_id);
COMMIT;
