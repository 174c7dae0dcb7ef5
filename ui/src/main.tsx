import { CSPProvider } from "@base-ui/react/csp-provider";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { makeQueryClient } from "@/app/queries";
import { makeRouter } from "@/app/router";
import { ToastHost } from "@/components/ToastHost";
import "./styles.css";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
const queries = makeQueryClient();

createRoot(root).render(
  <StrictMode>
    {/* The content security policy allows no inline style elements. */}
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queries}>
        <RouterProvider router={makeRouter(queries)} />
        <ToastHost />
      </QueryClientProvider>
    </CSPProvider>
  </StrictMode>,
);
