//! `hearth admin …`: what an operator does without the page, beside a running server.

use clap::Subcommand;
use kernel::{Clock, Role, Secret};

use super::{Failure, configuration, say};
use crate::App;
use crate::config::{EmbeddingConfig, Flags};

#[derive(Debug, Subcommand)]
pub(super) enum Admin {
    /// Make a tenant
    #[command(name = "create-tenant")]
    Tenant {
        /// 1–64 characters of a-z, 0-9, - and _
        name: String,
    },
    /// Make an account; the password is read from stdin
    #[command(name = "create-user")]
    User {
        /// Tenant; made when missing
        #[arg(long)]
        tenant: String,
        /// Name to sign in with
        #[arg(long)]
        username: String,
        /// owner, admin, member or viewer
        #[arg(long)]
        role: String,
    },
    /// Make an API key and print it alone
    #[command(name = "create-key")]
    Key {
        /// Tenant; made when missing
        #[arg(long)]
        tenant: String,
        /// Scopes between commas, such as memory:read,memory:write
        #[arg(long, value_delimiter = ',', required = true)]
        scopes: Vec<String>,
        /// Username that the key acts for; without one it may name any person of the tenant
        #[arg(long)]
        user: Option<String>,
    },
}

/// Opens the server's parts without serving; the schema is brought up to date first. No model is loaded.
pub(super) async fn open(flags: &Flags) -> Result<App, Failure> {
    let mut config = configuration(flags, false)?;
    config.embedding = EmbeddingConfig::None;
    let app = App::build(config, Clock::system()).await?;
    store::migrate::up(&app.store, &app.clock).await?;
    Ok(app)
}

pub(super) async fn run(flags: &Flags, command: Admin) -> Result<(), Failure> {
    let app = open(flags).await?;
    match command {
        Admin::Tenant { name } => {
            let is_new = app.identity.create_tenant(&name).await?;
            say(&if is_new {
                format!("made tenant {name}")
            } else {
                format!("tenant {name} was there already")
            })
        }
        Admin::User { tenant, username, role } => {
            let role = Role::parse(&role).ok_or_else(|| Failure {
                code: 2,
                text: "hearth: --role is owner, admin, member or viewer".to_owned(),
            })?;
            let password = read_password()?;
            let user_id = app.identity.create_user(&tenant, &username, Some(role), password).await?;
            say(&format!("made {} {username} ({user_id}) in tenant {tenant}", role.as_str()))
        }
        Admin::Key { tenant, scopes, user } => {
            let made = app.identity.create_operator_key(&tenant, &scopes, user.as_deref()).await?;
            say(made.api_key.expose())
        }
    }
}

fn read_password() -> Result<Secret, Failure> {
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .map_err(|error| Failure::work(format!("hearth: cannot read the password from stdin: {error}")))?;
    Ok(Secret::new(line.trim_end_matches(['\n', '\r'])))
}
