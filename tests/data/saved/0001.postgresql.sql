CREATE TABLE public.agor_tui_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.board_comments (
    comment_id text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone,
    board_id text NOT NULL COLLATE pg_catalog."C",
    created_by text DEFAULT 'anonymous'::text NOT NULL COLLATE pg_catalog."C",
    session_id text COLLATE pg_catalog."C",
    task_id text COLLATE pg_catalog."C",
    message_id text COLLATE pg_catalog."C",
    worktree_id text COLLATE pg_catalog."C",
    content text NOT NULL,
    content_preview text NOT NULL,
    parent_comment_id text COLLATE pg_catalog."C",
    resolved boolean DEFAULT false NOT NULL,
    edited boolean DEFAULT false NOT NULL,
    reactions jsonb DEFAULT '[]'::jsonb NOT NULL,
    data jsonb NOT NULL
);
CREATE TABLE public.board_objects (
    object_id text NOT NULL COLLATE pg_catalog."C",
    board_id text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone NOT NULL,
    worktree_id text NOT NULL COLLATE pg_catalog."C",
    data jsonb NOT NULL
);
CREATE TABLE public.boards (
    board_id text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone,
    created_by text DEFAULT 'anonymous'::text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    slug text,
    data jsonb NOT NULL
);
CREATE TABLE public.mcp_servers (
    mcp_server_id text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone,
    name text NOT NULL,
    transport text NOT NULL,
    scope text NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    owner_user_id text COLLATE pg_catalog."C",
    team_id text COLLATE pg_catalog."C",
    repo_id text COLLATE pg_catalog."C",
    session_id text COLLATE pg_catalog."C",
    source text NOT NULL,
    data jsonb NOT NULL
);
CREATE TABLE public.messages (
    message_id text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone NOT NULL,
    session_id text NOT NULL COLLATE pg_catalog."C",
    task_id text COLLATE pg_catalog."C",
    type text NOT NULL COLLATE pg_catalog."C",
    role text NOT NULL COLLATE pg_catalog."C",
    index integer NOT NULL,
    "timestamp" timestamp with time zone NOT NULL,
    content_preview text,
    data jsonb NOT NULL,
    parent_tool_use_id text,
    status text COLLATE pg_catalog."C",
    queue_position integer,
    CONSTRAINT ck_messages_role CHECK ((role = ANY (ARRAY['user'::text, 'assistant'::text, 'system'::text, 'file-history-snapshot'::text]))),
    CONSTRAINT ck_messages_status CHECK ((status = 'queued'::text)),
    CONSTRAINT ck_messages_type CHECK ((type = ANY (ARRAY['user'::text, 'assistant'::text, 'system'::text, 'file-history-snapshot'::text, 'permission_request'::text, 'input_request'::text, 'daemon_restart'::text, 'daemon_crash'::text, 'widget_request'::text])))
);
CREATE TABLE public.repos (
    repo_id text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone,
    slug text NOT NULL,
    data jsonb NOT NULL
);
CREATE TABLE public.schema_migrations (
    revision text NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone NOT NULL,
    duration_ms integer NOT NULL,
    applied_by text NOT NULL,
    tool_version text NOT NULL
);
CREATE TABLE public.session_mcp_servers (
    session_id text NOT NULL COLLATE pg_catalog."C",
    mcp_server_id text NOT NULL COLLATE pg_catalog."C",
    enabled boolean DEFAULT true NOT NULL,
    added_at timestamp with time zone NOT NULL
);
CREATE TABLE public.sessions (
    session_id text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    created_by text DEFAULT 'anonymous'::text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL COLLATE pg_catalog."C",
    agentic_tool text NOT NULL COLLATE pg_catalog."C",
    board_id text COLLATE pg_catalog."C",
    parent_session_id text COLLATE pg_catalog."C",
    forked_from_session_id text COLLATE pg_catalog."C",
    worktree_id text NOT NULL COLLATE pg_catalog."C",
    scheduled_run_at timestamp with time zone,
    scheduled_from_worktree boolean DEFAULT false NOT NULL,
    ready_for_prompt boolean DEFAULT false NOT NULL,
    data jsonb NOT NULL,
    archived boolean DEFAULT false NOT NULL,
    archived_reason text,
    CONSTRAINT ck_sessions_agentic_tool CHECK ((agentic_tool <> ''::text)),
    CONSTRAINT ck_sessions_status CHECK ((status = ANY (ARRAY['idle'::text, 'running'::text, 'stopping'::text, 'awaiting_permission'::text, 'awaiting_input'::text, 'completed'::text, 'failed'::text, 'timed_out'::text, 'stopped'::text])))
);
CREATE TABLE public.tasks (
    task_id text NOT NULL COLLATE pg_catalog."C",
    session_id text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone NOT NULL,
    completed_at timestamp with time zone,
    status text NOT NULL COLLATE pg_catalog."C",
    created_by text DEFAULT 'anonymous'::text NOT NULL COLLATE pg_catalog."C",
    data jsonb NOT NULL,
    started_at timestamp with time zone,
    CONSTRAINT ck_tasks_status CHECK ((status = ANY (ARRAY['created'::text, 'queued'::text, 'pending'::text, 'running'::text, 'dispatching'::text, 'stopping'::text, 'awaiting_permission'::text, 'awaiting_input'::text, 'completed'::text, 'failed'::text, 'timed_out'::text, 'stopped'::text])))
);
CREATE TABLE public.users (
    user_id text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone,
    email text NOT NULL,
    password text NOT NULL,
    name text,
    emoji text,
    role text DEFAULT 'member'::text NOT NULL COLLATE pg_catalog."C",
    onboarding_completed boolean DEFAULT false NOT NULL,
    data jsonb NOT NULL,
    CONSTRAINT ck_users_role CHECK ((role = ANY (ARRAY['owner'::text, 'superadmin'::text, 'admin'::text, 'member'::text, 'viewer'::text])))
);
CREATE TABLE public.worktrees (
    worktree_id text NOT NULL COLLATE pg_catalog."C",
    repo_id text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone,
    created_by text DEFAULT 'anonymous'::text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    ref text NOT NULL,
    worktree_unique_id integer NOT NULL,
    board_id text COLLATE pg_catalog."C",
    data jsonb NOT NULL,
    schedule_enabled boolean DEFAULT false NOT NULL,
    schedule_cron text,
    schedule_last_triggered_at timestamp with time zone,
    schedule_next_run_at timestamp with time zone,
    start_command text,
    stop_command text,
    health_check_url text,
    app_url text,
    logs_command text,
    needs_attention boolean DEFAULT false NOT NULL,
    archived boolean DEFAULT false NOT NULL,
    archived_at timestamp with time zone,
    archived_by text COLLATE pg_catalog."C",
    filesystem_status text
);
INSERT INTO public.agor_tui_version VALUES ('0001');
INSERT INTO public.boards VALUES ('b1', '2026-03-28 23:29:59.987-02:30', NULL, 'anonymous', 'Main', 'main', '{}');
INSERT INTO public.mcp_servers VALUES ('x1', '2026-03-28 23:29:59.987-02:30', NULL, 'files', 'stdio', 'global', true, NULL, NULL, NULL, NULL, 'user', '{}');
INSERT INTO public.messages VALUES ('m1', '2026-03-28 23:29:59.987-02:30', 's1', 't1', 'user', 'user', 0, '2026-03-28 23:29:59.987-02:30', NULL, '{}', NULL, NULL, NULL);
INSERT INTO public.repos VALUES ('r1', '2026-03-28 23:29:59.987-02:30', NULL, 'tidepool', '{}');
INSERT INTO public.schema_migrations VALUES ('0001', 'initial schema', '80ceb6b5ece082efce0b84bf5a605d7a4796c34c64019698b5e81438fae9eb93', '2025-12-31 20:30:00-03:30', 12, 'mira@laptop', '0.1.0');
INSERT INTO public.session_mcp_servers VALUES ('s1', 'x1', true, '2026-03-28 23:29:59.987-02:30');
INSERT INTO public.sessions VALUES ('s1', '2026-03-28 23:29:59.987-02:30', '2026-03-28 23:29:59.987-02:30', 'anonymous', 'idle', 'codex', NULL, NULL, NULL, 'w1', NULL, false, false, '{"title": "One"}', false, NULL);
INSERT INTO public.tasks VALUES ('t1', 's1', '2026-03-28 23:29:59.987-02:30', NULL, 'created', 'anonymous', '{}', NULL);
INSERT INTO public.users VALUES ('u1', '2026-03-28 23:29:59.987-02:30', NULL, 'a@b.c', 'x', NULL, NULL, 'member', false, '{}');
INSERT INTO public.worktrees VALUES ('w1', 'r1', '2026-03-28 23:29:59.987-02:30', NULL, 'anonymous', 'main', 'main', 1, 'b1', '{}', false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, false, NULL, NULL, NULL);
ALTER TABLE ONLY public.agor_tui_version
    ADD CONSTRAINT agor_tui_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.board_comments
    ADD CONSTRAINT pk_board_comments PRIMARY KEY (comment_id);
ALTER TABLE ONLY public.board_objects
    ADD CONSTRAINT pk_board_objects PRIMARY KEY (object_id);
ALTER TABLE ONLY public.boards
    ADD CONSTRAINT pk_boards PRIMARY KEY (board_id);
ALTER TABLE ONLY public.mcp_servers
    ADD CONSTRAINT pk_mcp_servers PRIMARY KEY (mcp_server_id);
ALTER TABLE ONLY public.messages
    ADD CONSTRAINT pk_messages PRIMARY KEY (message_id);
ALTER TABLE ONLY public.repos
    ADD CONSTRAINT pk_repos PRIMARY KEY (repo_id);
ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT pk_schema_migrations PRIMARY KEY (revision);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT pk_sessions PRIMARY KEY (session_id);
ALTER TABLE ONLY public.tasks
    ADD CONSTRAINT pk_tasks PRIMARY KEY (task_id);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT pk_users PRIMARY KEY (user_id);
ALTER TABLE ONLY public.worktrees
    ADD CONSTRAINT pk_worktrees PRIMARY KEY (worktree_id);
ALTER TABLE ONLY public.boards
    ADD CONSTRAINT uq_boards_slug UNIQUE (slug);
ALTER TABLE ONLY public.repos
    ADD CONSTRAINT uq_repos_slug UNIQUE (slug);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT uq_users_email UNIQUE (email);
CREATE INDEX ix_board_comments_board_created ON public.board_comments USING btree (board_id, created_at);
CREATE INDEX ix_board_comments_message ON public.board_comments USING btree (message_id);
CREATE INDEX ix_board_comments_parent ON public.board_comments USING btree (parent_comment_id);
CREATE INDEX ix_board_comments_session ON public.board_comments USING btree (session_id);
CREATE INDEX ix_board_comments_task ON public.board_comments USING btree (task_id);
CREATE INDEX ix_board_comments_worktree ON public.board_comments USING btree (worktree_id);
CREATE INDEX ix_board_objects_board ON public.board_objects USING btree (board_id);
CREATE INDEX ix_board_objects_worktree ON public.board_objects USING btree (worktree_id);
CREATE INDEX ix_mcp_servers_repo ON public.mcp_servers USING btree (repo_id);
CREATE INDEX ix_mcp_servers_session ON public.mcp_servers USING btree (session_id);
CREATE INDEX ix_messages_session_order ON public.messages USING btree (session_id, index, "timestamp", created_at, message_id);
CREATE INDEX ix_messages_task_order ON public.messages USING btree (task_id, index);
CREATE INDEX ix_session_mcp_servers_server ON public.session_mcp_servers USING btree (mcp_server_id);
CREATE INDEX ix_session_mcp_servers_session ON public.session_mcp_servers USING btree (session_id, mcp_server_id);
CREATE INDEX ix_sessions_archived_status_updated ON public.sessions USING btree (archived, status, updated_at, session_id);
CREATE INDEX ix_sessions_archived_updated ON public.sessions USING btree (archived, updated_at, session_id);
CREATE INDEX ix_sessions_board ON public.sessions USING btree (board_id);
CREATE INDEX ix_sessions_created ON public.sessions USING btree (created_at, session_id);
CREATE INDEX ix_sessions_created_by_updated ON public.sessions USING btree (created_by, updated_at, session_id);
CREATE INDEX ix_sessions_forked_from ON public.sessions USING btree (forked_from_session_id) WHERE (forked_from_session_id IS NOT NULL);
CREATE INDEX ix_sessions_parent ON public.sessions USING btree (parent_session_id) WHERE (parent_session_id IS NOT NULL);
CREATE INDEX ix_sessions_tool_updated ON public.sessions USING btree (agentic_tool, updated_at, session_id);
CREATE INDEX ix_sessions_updated ON public.sessions USING btree (updated_at, session_id);
CREATE INDEX ix_sessions_worktree_updated ON public.sessions USING btree (worktree_id, updated_at, session_id);
CREATE INDEX ix_tasks_created ON public.tasks USING btree (created_at, task_id);
CREATE INDEX ix_tasks_session_created ON public.tasks USING btree (session_id, created_at, task_id);
CREATE INDEX ix_tasks_status_created ON public.tasks USING btree (status, created_at, task_id);
CREATE INDEX ix_worktrees_board ON public.worktrees USING btree (board_id);
CREATE INDEX ix_worktrees_repo_name ON public.worktrees USING btree (repo_id, name);
ALTER TABLE ONLY public.board_comments
    ADD CONSTRAINT fk_board_comments_board_id FOREIGN KEY (board_id) REFERENCES public.boards(board_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.board_comments
    ADD CONSTRAINT fk_board_comments_message_id FOREIGN KEY (message_id) REFERENCES public.messages(message_id) ON DELETE SET NULL;
ALTER TABLE ONLY public.board_comments
    ADD CONSTRAINT fk_board_comments_session_id FOREIGN KEY (session_id) REFERENCES public.sessions(session_id) ON DELETE SET NULL;
ALTER TABLE ONLY public.board_comments
    ADD CONSTRAINT fk_board_comments_task_id FOREIGN KEY (task_id) REFERENCES public.tasks(task_id) ON DELETE SET NULL;
ALTER TABLE ONLY public.board_comments
    ADD CONSTRAINT fk_board_comments_worktree_id FOREIGN KEY (worktree_id) REFERENCES public.worktrees(worktree_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.board_objects
    ADD CONSTRAINT fk_board_objects_board_id FOREIGN KEY (board_id) REFERENCES public.boards(board_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.board_objects
    ADD CONSTRAINT fk_board_objects_worktree_id FOREIGN KEY (worktree_id) REFERENCES public.worktrees(worktree_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.mcp_servers
    ADD CONSTRAINT fk_mcp_servers_repo_id FOREIGN KEY (repo_id) REFERENCES public.repos(repo_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.mcp_servers
    ADD CONSTRAINT fk_mcp_servers_session_id FOREIGN KEY (session_id) REFERENCES public.sessions(session_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.messages
    ADD CONSTRAINT fk_messages_session_id FOREIGN KEY (session_id) REFERENCES public.sessions(session_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.messages
    ADD CONSTRAINT fk_messages_task_id FOREIGN KEY (task_id) REFERENCES public.tasks(task_id) ON DELETE SET NULL;
ALTER TABLE ONLY public.session_mcp_servers
    ADD CONSTRAINT fk_session_mcp_servers_mcp_server_id FOREIGN KEY (mcp_server_id) REFERENCES public.mcp_servers(mcp_server_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.session_mcp_servers
    ADD CONSTRAINT fk_session_mcp_servers_session_id FOREIGN KEY (session_id) REFERENCES public.sessions(session_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT fk_sessions_board_id FOREIGN KEY (board_id) REFERENCES public.boards(board_id) ON DELETE SET NULL;
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT fk_sessions_forked_from_session_id FOREIGN KEY (forked_from_session_id) REFERENCES public.sessions(session_id) ON DELETE SET NULL;
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT fk_sessions_parent_session_id FOREIGN KEY (parent_session_id) REFERENCES public.sessions(session_id) ON DELETE SET NULL;
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT fk_sessions_worktree_id FOREIGN KEY (worktree_id) REFERENCES public.worktrees(worktree_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.tasks
    ADD CONSTRAINT fk_tasks_session_id FOREIGN KEY (session_id) REFERENCES public.sessions(session_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.worktrees
    ADD CONSTRAINT fk_worktrees_board_id FOREIGN KEY (board_id) REFERENCES public.boards(board_id) ON DELETE SET NULL;
ALTER TABLE ONLY public.worktrees
    ADD CONSTRAINT fk_worktrees_repo_id FOREIGN KEY (repo_id) REFERENCES public.repos(repo_id) ON DELETE CASCADE;
