//! The one way to add a route: with the right that it needs. Whoever has not got the right is refused before the
//! handler runs; whoever has it is given the [`Scope`] of it.

use axum::{
    Router,
    extract::{FromRequestParts, Request, State},
    handler::Handler,
    http::{Method, request::Parts},
    middleware::{self, Next},
    response::Response,
    routing::{MethodRouter, get, post},
};

use crate::{
    App,
    frame::Frame,
    person::{Right, Scope},
    respond::{Failure, Form},
    session::Session,
};

/// A route of the site.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    /// GET or POST.
    pub method: Method,
    /// Its path, with names in braces for what varies.
    pub path: String,
    /// What it needs.
    pub right: Right,
}

/// The routes of the site, and what each needs.
#[derive(Default)]
pub(crate) struct Routes {
    router: Router<App>,
    stated: Vec<Route>,
}

impl Routes {
    /// A page without a twin.
    pub(crate) fn plain<H, T>(self, path: &str, right: Right, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        self.add(Method::GET, path, right, get(handler))
    }

    /// A page under its path, and under the endings for programs.
    pub(crate) fn page<H, T>(self, path: &str, right: Right, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let forms = [Form::Html, Form::Json, Form::Csv];
        forms.into_iter().fold(self, |routes, form| {
            let path = format!("{path}{}", form.ending());
            routes.add(Method::GET, &path, right, get(handler.clone()))
        })
    }

    /// A page whose last part is an id; its handler takes the ending for programs off the id.
    pub(crate) fn page_of_one<H, T>(self, path: &str, right: Right, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        self.add(Method::GET, path, right, get(handler))
    }

    /// Something that is done, or shown once it is written down.
    pub(crate) fn act<H, T>(self, path: &str, right: Right, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        self.add(Method::POST, path, right, post(handler))
    }

    fn add(mut self, method: Method, path: &str, right: Right, page: MethodRouter<App>) -> Self {
        let guarded = page.route_layer(middleware::from_fn_with_state(right, allow));
        self.router = self.router.route(path, guarded);
        self.stated.push(Route {
            method,
            path: path.to_owned(),
            right,
        });
        self
    }

    /// The router, and what was stated of each of its routes.
    pub(crate) fn into_parts(self) -> (Router<App>, Vec<Route>) {
        (self.router, self.stated)
    }
}

async fn allow(
    State(right): State<Right>,
    session: Session,
    mut request: Request,
    next: Next,
) -> Response {
    match session.person.scope(right) {
        Some(scope) => {
            request.extensions_mut().insert(scope);
            next.run(request).await
        }
        None => {
            let frame = Frame::of(request.uri(), request.headers());
            Failure::not_allowed(&frame, &session.person, right).shown(&frame)
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Scope {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let scope = parts.extensions.get::<Self>().copied();
        Ok(scope.expect("a route is added with a right, which gives a scope"))
    }
}
