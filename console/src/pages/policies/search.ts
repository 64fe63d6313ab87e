/** What is in the address of a page of the policy, and reading what it asks for. */
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { type PolicyDocument, policyQuery, type Whose } from "../../api/policies";
import { keys } from "../../api/queries";

export interface PolicySearch {
  tab?: string;
  /** The moment that the operations, the holders and the evidence are of. */
  as_of?: string;
  /** On the platform's page: the organisation whose holders are shown. */
  only?: string;
  search?: string;
  resource?: string;
  scope?: string;
  role?: string;
  decision?: string;
  type?: string;
  status?: string;
  seen?: string;
  factor?: string;
  change?: string;
  from?: string;
  to?: string;
  /** Where a page of a list begins that is cut in the browser. */
  cursor?: string;
  open?: string;
}

export function usePolicySearch(): PolicySearch {
  return useSearch({ strict: false }) as PolicySearch;
}

/** The export that the address asks for; all views of a moment share one read. */
export function usePolicy(whose: Whose) {
  const { as_of, only } = usePolicySearch();
  return useInfiniteQuery(policyQuery(whose, { asOf: as_of, only }));
}

/** Since when the history is kept, as far as anything that was read here says so. */
export function useHistorySince(whose: Whose): string | undefined {
  const client = useQueryClient();
  const found = client.getQueriesData<{ pages: PolicyDocument[] }>({
    queryKey: [...keys.policies(whose), "export"],
  });
  return found.flatMap(([, data]) => data?.pages ?? [])[0]?.policy.history_since;
}
